/**
 * The load: a process that works off bursts of requests that its parent asks for, one after the other.
 *
 * While a burst runs it polls and never sleeps. If it slept, a server would have to wake it with each
 * answer, and on a virtual machine that costs the server as much CPU as a small request.
 *
 * @module
 */

import { Burst } from './load/burst.js'

let isWorking = false

process.on('message', async (job) => {
  isWorking = true
  poll()
  const found = await Burst.run(job)
  isWorking = false
  process.send(found)
})
process.on('disconnect', () => process.exit())

// As long as there is something to do at once, the event loop does not wait for what may arrive.
function poll() {
  if (isWorking) setImmediate(poll)
}
