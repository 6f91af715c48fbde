import { randomBytes } from 'node:crypto'
import { isSessionError } from '../../src/errors.ts'
import type { SessionId, SessionStore } from '../../src/store.ts'

// Tells what a store says that may not write its file.
const [, , engine = ''] = process.argv
const module = (await import(`../conformance/workers/${engine}.ts`)) as { store(): SessionStore }

const at = Date.now()
const times = { createdAt: at, renewedAt: at, expiresAt: at + 60_000, deadline: at + 60_000 }
const record = { ...times, generation: 0, fence: 0, values: new Map() }
const id = randomBytes(32).toString('base64url') as SessionId

async function outcome(call: (store: SessionStore) => Promise<unknown>): Promise<string> {
  try {
    return `answered ${String(await call(module.store()))}`
  } catch (error) {
    return isSessionError(error) ? error.code : String(error)
  }
}

const outcomes = [await outcome((store) => store.create(id, record))]
outcomes.push(await outcome((store) => store.destroy(id)))
process.stdout.write(JSON.stringify(outcomes))
