import * as lmdb from 'lmdb'
import type { RootDatabase, Transaction } from 'lmdb'

/** What a read is given, to be one of this transaction. */
export interface ReadOptions {
  readonly transaction: Transaction
}

type Reset = (address: number) => void

/**
 * The read transaction of lmdb, for reads of the newest state of the file, whichever process wrote it.
 *
 * `resetReadTxn` does it too, but for lmdb a snapshot lasts until a timer ends it, and each new
 * snapshot makes a new timer, which takes longer than the read. Here the snapshot ends with the read:
 * no pages of the file are held back, and no timer has to see to it.
 */
export class Newest {
  readonly #root: RootDatabase
  readonly #reset: Reset | undefined = nativeReset()
  #options: ReadOptions | undefined
  #address = 0

  constructor(root: RootDatabase) {
    this.#root = root
  }

  /** What reads are given until `end`; without a way to end a snapshot there is none, and lmdb's own is a new one. */
  begin(): ReadOptions | undefined {
    if (this.#reset === undefined) this.#root.resetReadTxn()
    else this.#options ??= this.#acquire()
    return this.#options
  }

  /** What was read is not valid any more, unless it was copied. */
  end(): void {
    if (this.#options !== undefined) this.#reset?.(this.#address)
  }

  /** Before the file is closed. */
  close(): void {
    this.#options = undefined
  }

  #acquire(): ReadOptions | undefined {
    this.#root.resetReadTxn()
    const transaction = this.#root.useReadTransaction()
    // lmdb may use it too, and ends it with its own timer; a second one would take one more place of a reader.
    transaction.done()
    this.#address = addressOf(transaction)
    return this.#address === 0 ? undefined : { transaction }
  }
}

// Neither is among lmdb's types; if a later version has them no more, reads take the longer way.
function nativeReset(): Reset | undefined {
  const native: unknown = Reflect.get(lmdb, 'nativeAddon')
  if (typeof native !== 'object' || native === null) return undefined
  const reset: unknown = Reflect.get(native, 'resetTxn')
  return typeof reset === 'function' ? (reset as Reset) : undefined
}

function addressOf(transaction: Transaction): number {
  const address: unknown = Reflect.get(transaction, 'address')
  return typeof address === 'number' ? address : 0
}
