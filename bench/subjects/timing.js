const IN_TURN = 100

/**
 * Runs something again and again, several at once, until it was run often enough or the time is up.
 *
 * @param {(n: number) => unknown} run
 * @returns {Promise<{ cpu: number, rate: number, wait: number }>} microseconds of CPU for each, how many
 * in a second, and how long one takes when nothing else is done: the median, in microseconds
 */
export async function timed(run, { operations, milliseconds, atOnce }) {
  const [usage, begun] = [process.cpuUsage(), performance.now()]
  let count = 0
  const worker = async () => {
    while (count < operations && performance.now() - begun < milliseconds) await run(count++)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  const seconds = (performance.now() - begun) / 1000
  const { user, system } = process.cpuUsage(usage)
  return { cpu: (user + system) / count, rate: count / seconds, wait: await wait(run, operations) }
}

async function wait(run, operations) {
  const times = []
  for (let n = 0; n < Math.min(IN_TURN, operations); n++) {
    const begun = performance.now()
    await run(n)
    times.push((performance.now() - begun) * 1000)
  }
  return times.toSorted((left, right) => left - right)[Math.floor(times.length / 2)]
}
