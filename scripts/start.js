import { pathToFileURL } from 'node:url'
import { ensureBuilt } from './build.js'
import { ensureInstalled } from './install.js'
import { root, runScript } from './tools.js'

const PROGRAM = `${root}.build/examples/origin/main.js`

await runScript(async () => {
  await ensureInstalled()
  await ensureBuilt()
})
// The program runs in this process: arguments, signals and the exit code are its own.
if (process.exitCode === 0) {
  process.exitCode = undefined
  process.argv[1] = PROGRAM
  await import(pathToFileURL(PROGRAM).href)
}
