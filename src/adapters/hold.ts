import { EndHead } from './hold/end-head.ts'
import { answerPlainly } from './hold/failure.ts'
import { HeadBefore, appendLines, applyHead, joinHead } from './hold/head.ts'
import { HeldCalls, isHead, tellCallback } from './hold/held-calls.ts'
import type { HeldCall } from './hold/held-calls.ts'
import type { HeaderLine, NodeResponse, Receiver } from './hold/response.ts'
import { redirect } from './hold/writing.ts'
import type { Writing } from './hold/writing.ts'

export type { HeaderLine, NodeResponse } from './hold/response.ts'

/** What happens at the moments of a response. */
export interface GateHooks {
  /**
   * Before the first byte: stores what the request did and answers the headers to append, at once or
   * as soon as the store has answered. Called once.
   */
  before(): readonly HeaderLine[] | Promise<readonly HeaderLine[]>
  /**
   * Before the end of a response that went on after its headers, and again when it is closed: stores
   * what came meanwhile. Undefined if there is nothing to store.
   */
  after?(): Promise<void> | undefined
  /**
   * Answers the error of `before` in the framework's way; the response is as it was before the
   * application touched it. Not called while the application is still writing: then, or if this
   * throws, a short plain response is sent.
   */
  fail?(error: unknown): void
}

/**
 * Holds the first byte of a response until `before` has answered, then appends its headers and makes
 * the calls of the application, byte for byte and in order. If `before` answers at once, nothing is
 * held. If it fails, nothing of the application's response is sent.
 *
 * Early hints and other informational responses are not held. Bytes that are written past the
 * response, to its socket or its HTTP/2 stream, are not seen.
 */
export function hold(response: NodeResponse, hooks: GateHooks): void {
  new Gate(response, hooks).install()
}

type Lines = readonly HeaderLine[]

/**
 * `waiting` for the first call → `held` until the store has answered → `streaming` until the end, or
 * `open` at once if the first call was the end. `muted` ignores an application whose response was
 * discarded while it was writing.
 */
type State = 'waiting' | 'held' | 'streaming' | 'open' | 'muted'

class Gate implements Receiver {
  readonly #response: NodeResponse
  readonly #hooks: GateHooks
  readonly #before: HeadBefore
  readonly #endHead = new EndHead()
  #originals: Writing | undefined
  #state: State
  #lines: Lines | Promise<Lines> | undefined
  #held: HeldCalls | undefined
  #failed = false

  constructor(response: NodeResponse, hooks: GateHooks) {
    this.#response = response
    this.#hooks = hooks
    this.#before = new HeadBefore(response)
    this.#state = response.headersSent ? 'streaming' : 'waiting'
  }

  install(): void {
    this.#originals = redirect(this.#response, this, () => this.#closed())
  }

  call(name: string, args: readonly unknown[]): unknown {
    switch (this.#state) {
      case 'waiting':
        return this.#first(name, args)
      case 'held':
        return this.#held?.add(name, args)
      case 'streaming':
        return name === 'end' ? this.#end(args) : this.#pass(name, args)
      case 'open':
        return this.#pass(name, name === 'writeHead' ? this.#headOfEnd(args) : args)
      case 'muted':
        return this.#ignore(name, args)
    }
  }

  #pass(name: string, args: readonly unknown[]): unknown {
    const original = isWriting(name) ? this.#originals?.[name] : Reflect.get(this.#response, name)
    return typeof original === 'function'
      ? Reflect.apply(original, this.#response, args)
      : undefined
  }

  #first(name: string, args: readonly unknown[]): unknown {
    this.#lines ??= this.#decide()
    if (this.#lines instanceof Promise) return this.#holdBack(this.#lines, name, args)
    return this.#begin(this.#lines, name, args)
  }

  #decide(): Lines | Promise<Lines> {
    try {
      const lines = this.#hooks.before()
      if (lines instanceof Promise) lines.catch(() => undefined)
      return lines
    } catch (error) {
      const failed = Promise.reject<Lines>(error)
      failed.catch(() => undefined)
      return failed
    }
  }

  // Node may refuse what the application gives: then the next attempt is the first one.
  #begin(lines: Lines, name: string, args: readonly unknown[]): unknown {
    const rest = this.#add(lines, name, args)
    this.#state = name === 'end' ? 'open' : 'streaming'
    try {
      return this.#pass(name, rest)
    } catch (error) {
      if (!this.#response.headersSent) this.#state = 'waiting'
      throw error
    }
  }

  /** Adds lines to the head, and answers the arguments that are left for the first call. */
  #add(lines: Lines, name: string, args: readonly unknown[]): readonly unknown[] {
    const joins = lines.length > 0 && isHead(name)
    const joined = joins ? joinHead(this.#response, args, lines) : undefined
    if (joined !== undefined) return joined
    const rest = joins ? applyHead(this.#response, args) : args
    this.#append(lines, name)
    return rest
  }

  #append(lines: Lines, name: string | undefined): void {
    const end = this.#originals?.end
    if (name !== 'end' || end === undefined) appendLines(this.#response, lines)
    else this.#endHead.add(this.#response, lines, end)
  }

  #headOfEnd(args: readonly unknown[]): readonly unknown[] {
    const end = this.#originals?.end
    return end === undefined ? args : this.#endHead.complete(this.#response, args, end)
  }

  #holdBack(lines: Promise<Lines>, name: string, args: readonly unknown[]): unknown {
    const rest = isHead(name) ? applyHead(this.#response, args) : args
    const status = isHead(name) ? Number(rest[0]) : this.#response.statusCode
    const held = this.#startHolding()
    lines.then(
      (appended) => this.#replay(held, appended, status),
      (error: unknown) => this.#discard(held, error),
    )
    return held.add(name, rest)
  }

  #startHolding(): HeldCalls {
    this.#state = 'held'
    this.#held = new HeldCalls(this.#response)
    return this.#held
  }

  #replay(held: HeldCalls, lines: Lines, status: number): void {
    const calls = held.release()
    this.#response.statusCode = status
    try {
      const first = calls[0]?.name
      this.#append(lines, first)
      this.#state = first === 'end' ? 'open' : 'streaming'
      this.#makeAll(held, calls)
    } catch (error) {
      this.#discard(held, error)
    }
  }

  #makeAll(held: HeldCalls, calls: readonly HeldCall[]): void {
    let accepted = true
    for (const { name, args } of calls) {
      const answer = isWriting(name) ? this.call(name, args) : this.#pass(name, args)
      if (name === 'write') accepted = answer !== false
    }
    if (accepted && !held.ended && held.needsDrain) this.#response.emit('drain')
  }

  // Once the first byte has left there is no answer to take back: the client sees that it was cut off.
  #discard(held: HeldCalls, error: unknown): void {
    held.release()
    held.abandon(error)
    this.#failed = true
    this.#state = 'open'
    if (this.#response.headersSent) return void this.#response.destroy(error as Error)
    this.#before.restore(this.#response)
    if (held.ended && this.#failTheirWay(error)) return
    if (!this.#response.headersSent) answerPlainly(this.#response, error)
    this.#state = 'muted'
    if (held.needsDrain) this.#response.emit('drain')
  }

  #failTheirWay(error: unknown): boolean {
    try {
      this.#hooks.fail?.(error)
      return this.#hooks.fail !== undefined
    } catch {
      return false
    }
  }

  #ignore(name: string, args: readonly unknown[]): unknown {
    tellCallback(args, new Error('The response was discarded.'))
    if (name === 'write') return true
    return name === 'flushHeaders' ? undefined : this.#response
  }

  #end(args: readonly unknown[]): unknown {
    const storing = this.#hooks.after?.()
    if (storing === undefined) return this.#endNow(args)
    const held = this.#startHolding()
    storing.then(
      () => this.#open(held),
      (error: unknown) => this.#discard(held, error),
    )
    return held.add('end', args)
  }

  #endNow(args: readonly unknown[]): unknown {
    this.#state = 'open'
    return this.#pass('end', args)
  }

  #open(held: HeldCalls): void {
    this.#state = 'open'
    this.#makeAll(held, held.release())
  }

  #closed(): void {
    const mayHaveMore = this.#state === 'streaming' || this.#state === 'open'
    if (mayHaveMore && !this.#failed) this.#hooks.after?.()?.catch(() => undefined)
  }
}

function isWriting(name: string): name is keyof Writing {
  return name === 'end' || name === 'write' || name === 'flushHeaders' || isHead(name)
}
