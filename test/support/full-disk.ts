import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { isSessionError } from '../../src/errors.ts'
import type { SessionId, SessionStore } from '../../src/store.ts'

// Creates sessions until that fails, in a process whose files cannot grow without end; then tells
// what became of them, and whether the store works again once there is room.
const [, , engine = '', room = ''] = process.argv
const module = (await import(`../conformance/workers/${engine}.ts`)) as { store(): SessionStore }
const at = Date.now()
const times = { createdAt: at, renewedAt: at, expiresAt: at + 60_000, deadline: at + 60_000 }
const values = new Map([['a', 'x'.repeat(3_000)]])
const record = { ...times, generation: 0, fence: 0, values }
const store = module.store()
const kept: SessionId[] = []
const refused: SessionId[] = []
let error: unknown

async function create(): Promise<void> {
  const id = randomBytes(32).toString('base64url') as SessionId
  try {
    await store.create(id, record)
    kept.push(id)
  } catch (reason) {
    refused.push(id)
    error = reason
  }
}

async function found(ids: readonly SessionId[]): Promise<number> {
  const records = await Promise.all(ids.map((id) => store.load(id)))
  return records.filter((loaded) => loaded !== undefined).length
}

for (let round = 0; round < 5_000 && refused.length < 40; round++) {
  await Promise.all([create(), create(), create(), create()])
}
const lost = kept.length - (await found(kept))
const halfWritten = await found(refused)
if (room === 'sessions') for (const id of kept.slice(0, 100)) await store.destroy(id)
else execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=unlimited'])
const before = kept.length
await create()
await store.close?.()
const { code, message } = isSessionError(error) ? error : { code: String(error), message: '' }
const worksAgain = kept.length === before + 1
process.stdout.write(JSON.stringify({ code, message, lost, halfWritten, worksAgain }))
