/**
 * The load: a process that works off bursts of requests that its parent asks for, one after the other. When
 * the connections of one are there it tells 'connected', and waits for the word to begin.
 *
 * While a burst runs it polls and never sleeps. If it slept, a server would have to wake it with each
 * answer, and on a virtual machine that costs the server as much CPU as a small request.
 *
 * @module
 */

import { once } from 'node:events'
import { Burst } from './load/burst.js'

let isWorking = false

process.on('message', async (message) => {
  if (message === 'begin') return
  isWorking = true
  poll()
  const found = await Burst.run(message, waitForWord)
  isWorking = false
  process.send(found)
})
process.on('disconnect', () => process.exit())

async function waitForWord() {
  process.send('connected')
  await once(process, 'message')
}

// As long as there is something to do at once, the event loop does not wait for what may arrive.
function poll() {
  if (isWorking) setImmediate(poll)
}
