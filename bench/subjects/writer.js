/**
 * Another process that writes: it commits each change that it is sent, and answers when that is done.
 *
 * @module
 */

import { newChange } from './records.js'
import { openStore } from './stores.js'

const { store } = await openStore('redis')
process.on('message', async ({ id, views }) => {
  await store.commit(id, newChange(views))
  process.send('done')
})
process.on('disconnect', () => process.exit())
process.send('ready')
