import { isSessionError } from '../../src/errors.ts'
import { EmbeddedStore } from '../../src/stores/embedded.ts'

// Tells what a store says that may not use its directory.
try {
  await new EmbeddedStore({ path: process.argv[2] ?? '' }).ready()
  process.stdout.write(JSON.stringify({ code: 'opened' }))
} catch (error) {
  const { code, message } = isSessionError(error) ? error : { code: String(error), message: '' }
  process.stdout.write(JSON.stringify({ code, message }))
}
