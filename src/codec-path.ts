/**
 * One step from a container to a value in it: the name of a property, the index of an element, or
 * the entry of a Map or Set.
 */
export type Step = string | number | { readonly part: 'keys' | 'values'; readonly index: number }

const PLAIN_NAME = /^[A-Za-z_$][\w$]*$/
const LONGEST_NAME = 40
const MOST_STEPS = 10

/**
 * A path as a program would write it: `cart.items[3].price`, `tags.values()[2]`; for no steps at
 * all `the value itself`. Long paths and names are shortened, so a message stays readable. The keys
 * of a Map are values and do not appear: entries are counted.
 */
export function formatPath(steps: readonly Step[]): string {
  if (steps.length === 0) return 'the value itself'
  if (steps.length <= MOST_STEPS) return joined(steps)
  const half = MOST_STEPS / 2
  return `${joined(steps.slice(0, half))} … ${joined(steps.slice(-half))}`
}

function joined(steps: readonly Step[]): string {
  return steps.map((step, index) => formatStep(step, index === 0)).join('')
}

function formatStep(step: Step, first: boolean): string {
  if (typeof step === 'number') return `[${step}]`
  if (typeof step === 'object') return `${first ? '' : '.'}${step.part}()[${step.index}]`
  const name = step.length > LONGEST_NAME ? `${step.slice(0, LONGEST_NAME)}…` : step
  if (!PLAIN_NAME.test(step)) return `[${JSON.stringify(name)}]`
  return first ? name : `.${name}`
}
