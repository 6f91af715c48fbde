import { setTimeout as sleep } from 'node:timers/promises'
import type { SessionId } from '../../../src/store.ts'
import { SimpleStore } from '../simple-store.ts'

export class NonAtomicTake extends SimpleStore {
  override async take(id: SessionId, name: string): Promise<string | undefined> {
    const text = (await this.load(id))?.values.get(name)
    await this.swap(id, name, text, undefined)
    return text
  }
}

export class SwapIgnoringBefore extends SimpleStore {
  override async swap(
    id: SessionId,
    name: string,
    before: string | undefined,
    after: string | undefined,
    generation?: number,
  ): Promise<boolean | 'gone' | 'stale'> {
    const current = this.live(id)?.values.get(name)
    await sleep(1)
    return super.swap(
      id,
      name,
      current === before ? this.live(id)?.values.get(name) : before,
      after,
      generation,
    )
  }
}

export class EmptyIsAbsent extends SimpleStore {
  override swap(
    id: SessionId,
    name: string,
    before: string | undefined,
    after: string | undefined,
    generation?: number,
  ): Promise<boolean | 'gone' | 'stale'> {
    const expected = this.live(id)?.values.get(name) === '' && before === undefined ? '' : before
    return super.swap(id, name, expected, after, generation)
  }
}

export class SwapExtends extends SimpleStore {
  override async take(
    id: SessionId,
    name: string,
    generation?: number,
  ): Promise<string | undefined> {
    const record = this.live(id)
    if (record !== undefined) record.expiresAt = record.deadline
    return super.take(id, name, generation)
  }
}

type Swapped = boolean | 'gone' | 'stale'

export class LooseSwap extends SimpleStore {
  override swap(
    id: SessionId,
    name: string,
    before: string | undefined,
    ...rest: [after: string | undefined, generation?: number]
  ): Promise<Swapped> {
    return super.swap(id, name, before?.trim(), ...rest)
  }
}

/** Refuses if anything at all in the record has changed meanwhile. */
export class WholeRecordSwap extends SimpleStore {
  override async swap(...call: Parameters<SimpleStore['swap']>): Promise<Swapped> {
    const values = this.live(call[0])?.values
    await sleep(1)
    return this.live(call[0])?.values === values && super.swap(...call)
  }
}

export class EmptyIsNotTaken extends SimpleStore {
  override async take(
    id: SessionId,
    name: string,
    generation?: number,
  ): Promise<string | undefined> {
    return (await super.take(id, name, generation)) || undefined
  }
}

/** Writes the whole record back without the value. */
export class RewritingTake extends SimpleStore {
  override async take(
    id: SessionId,
    name: string,
    generation?: number,
  ): Promise<string | undefined> {
    const values = new Map(this.live(id)?.values)
    values.delete(name)
    const taken = await super.take(id, name, generation)
    await sleep(1)
    const record = this.live(id)
    if (taken !== undefined && record !== undefined) record.values = values
    return taken
  }
}

export class TakesEverything extends SimpleStore {
  override async take(
    id: SessionId,
    name: string,
    generation?: number,
  ): Promise<string | undefined> {
    const taken = await super.take(id, name, generation)
    const record = this.live(id)
    if (taken !== undefined && record !== undefined) record.values = new Map()
    return taken
  }
}
