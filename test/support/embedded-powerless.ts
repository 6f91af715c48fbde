import { isSessionError } from '../../src/errors.ts'
import { EmbeddedStore } from '../../src/stores/embedded.ts'

// Opens a store as a user who may not write there, also when the tests run as root.
process.seteuid?.(65_534)
try {
  await new EmbeddedStore({ path: process.argv[2] ?? '' }).ready()
  process.stdout.write(JSON.stringify({ code: 'opened' }))
} catch (error) {
  const { code, message } = isSessionError(error) ? error : { code: String(error), message: '' }
  process.stdout.write(JSON.stringify({ code, message }))
}
