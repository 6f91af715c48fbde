import { appendLines, applyHead, hasHeaders } from './head.ts'
import type { HeaderLine, NodeResponse } from './response.ts'

// That `end` writes the head by calling `writeHead` is nowhere promised: it is seen, for each `end` there is.
const CALLING_WRITE_HEAD = new WeakSet<object>()

/**
 * The head of a response that has none when it is ended, which Node's `end` then writes by calling
 * `writeHead` of the response. A line that is given to this call costs little, while the first header that
 * is set costs Node about as much as all else that is done for a request that reads its session.
 */
export class EndHead {
  #line: HeaderLine | undefined

  /**
   * Adds lines to a response that is about to be ended: a single one to the head, if no header is set and
   * this `end` is known to ask for it.
   */
  add(response: NodeResponse, lines: readonly HeaderLine[], end: object): void {
    const [line] = lines
    const fits = lines.length === 1 && CALLING_WRITE_HEAD.has(end) && !hasHeaders(response)
    this.#line = fits ? line : undefined
    if (!fits) appendLines(response, lines)
  }

  /** The arguments of `writeHead` as `end` called it, with the line. */
  complete(response: NodeResponse, args: readonly unknown[], end: object): readonly unknown[] {
    if (response.headersSent) return args
    CALLING_WRITE_HEAD.add(end)
    const line = this.#line
    if (line === undefined) return args
    this.#line = undefined
    if (args.length === 1 && !hasHeaders(response)) return [args[0], line]
    const rest = applyHead(response, args)
    appendLines(response, [line])
    return rest
  }
}
