import type { Progress } from './progress.ts'
import type { Row } from './samples.ts'

/** How thoroughly to measure: `smoke` only shows that everything runs, its figures mean nothing. */
export type Size = 'full' | 'quick' | 'smoke'

/** Something that is measured, in a file of its own. */
export interface Question {
  /** Of the file of its results. */
  readonly name: string
  /** Minutes that it takes in full size, about. */
  readonly minutes: number
  measure(size: Size, progress: Progress): Promise<readonly Row[]>
}
