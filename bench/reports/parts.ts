import { Figures } from '../support/samples.ts'
import type { Result } from '../support/results.ts'
import { times, withSpread, type Section } from './section.ts'

const REFERENCE = 'node: SHA-256 of 64 characters'

/** What the parts cost, in terms of one hash. */
export function reportParts({ rows }: Result): Section {
  const figures = new Figures(rows)
  const parts = figures.names('part')
  return {
    title: 'Parts',
    text:
      'What a request consists of, piece by piece, in terms of one SHA-256 of 64 characters by `node:crypto`; and the bytes ' +
      'of the heap that one call allocates. What begins with `node:` is Node itself, for comparison. `request` is all of it, ' +
      'from the cookie to the header lines, with the memory store. The nanoseconds are in the JSON file.',
    tables: [
      {
        title: 'One call',
        columns: ['', 'time', 'allocates'],
        rows: parts.map((part) => [
          part,
          withSpread(figures.ratio({ part }, { part: REFERENCE }, 'time')),
          `${figures.median({ part }, 'bytes').toFixed(0)} B`,
        ]),
      },
    ],
    charts: [
      {
        kind: 'bars',
        name: 'parts',
        title: 'The parts of a request',
        unit: `time in terms of one ${REFERENCE.slice('node: '.length)}; logarithmic`,
        logarithmic: true,
        bars: parts.map((part) => ({
          label: part,
          value: figures.ratio({ part }, { part: REFERENCE }, 'time').value,
        })),
      },
    ],
  }
}

/** The same in nanoseconds, for the terminal of whoever looks for what to make faster. */
export function nanosecondsOf({ rows }: Result): string {
  const figures = new Figures(rows)
  const lines = figures.names('part').map((part) => {
    return `${part.padEnd(40)} ${times(figures.median({ part }, 'time')).padStart(8)} ns`
  })
  return lines.join('\n')
}
