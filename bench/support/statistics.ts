/** The middle of some numbers; between the two in the middle if they are even in count. */
export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5)
}

/** Half the distance between the quartiles, as a part of the median: how far runs differ. */
export function spread(numbers: readonly number[]): number {
  return halfDistance(numbers) / median(numbers)
}

/** Half the distance between the quartiles. */
export function halfDistance(numbers: readonly number[]): number {
  return (quantile(numbers, 0.75) - quantile(numbers, 0.25)) / 2
}

/** The value below which that part of the numbers lies, interpolated. */
export function quantile(numbers: readonly number[], part: number): number {
  const sorted = numbers.toSorted((left, right) => left - right)
  const position = part * (sorted.length - 1)
  const [low = Number.NaN, high = Number.NaN] = [
    sorted[Math.floor(position)],
    sorted[Math.ceil(position)],
  ]
  return low + (high - low) * (position % 1)
}
