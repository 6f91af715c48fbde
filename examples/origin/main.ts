import { originProgram } from './app.ts'
import { HELP, readArguments } from './arguments.ts'
import type { Arguments } from './arguments.ts'

try {
  const args = readArguments(process.argv.slice(2), process.env)
  if (args === 'help') console.log(HELP)
  else await serve(args)
} catch (error) {
  fail(error)
}

async function serve({ engine, storage, port }: Arguments): Promise<void> {
  const app = originProgram(engine, storage)
  // Before there is anything to close: whoever stops a program that is starting is heard too.
  const stop = (): void => void app.close().then(() => process.exit(0), fail)
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  const { url } = await app.listen(port, '127.0.0.1')
  console.log(`The origin program, with sessions in the engine '${engine}'. Try it in a browser:

  ${url}/?name=alice   the server remembers a name
  ${url}/detail        and tells it to the same browser
  ${url}/session       what the server keeps of your session

Ctrl+C ends it.`)
}

function fail(error: unknown): never {
  console.error(oneLine(error))
  process.exit(1)
}

function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replaceAll(/\s+/g, ' ')
}
