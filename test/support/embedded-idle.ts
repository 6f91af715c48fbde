import { EmbeddedStore } from '../../src/stores/embedded.ts'
import type { SessionId } from '../../src/store.ts'

// A process that uses a store and leaves it open: it ends because nothing keeps it alive.
const at = Date.now()
const times = { createdAt: at, renewedAt: at, expiresAt: at + 60_000, deadline: at + 60_000 }
const store = new EmbeddedStore({ path: process.argv[2] ?? '', sweepEvery: '1s' })
const kept = { ...times, generation: 0, fence: 0, values: new Map() }
if (!(await store.create('session' as SessionId, kept))) process.exitCode = 1
process.disconnect?.()
