import { once } from 'node:events'
import { LiveStage, closeOf } from './stage.ts'

/** Serves connections, some of which end with their session, and stops listening. Nothing else. */
const stage = await new LiveStage({ keepAlive: true }).begin()
const [alice, bob] = [await stage.visitor('alice'), await stage.visitor('bob')]
const first = await stage.connect({ cookie: alice.visitor.cookie })
const second = await stage.connect({ cookie: bob.visitor.cookie })
second.client.send('hello')
await once(second.client, 'message')
const closed = [closeOf(first.client), closeOf(second.client)]
await stage.sessions.revoke(alice.id)
second.client.close()
await Promise.all(closed)
stage.stopListening()
console.log(`connections ${stage.live.size}`)
