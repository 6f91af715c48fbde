import { originProgram } from './app.ts'
import { readArguments } from './arguments.ts'

try {
  const { engine, storage, port } = readArguments(process.argv.slice(2), process.env)
  const app = originProgram(engine, storage)
  // Before there is anything to close: whoever stops a program that is starting is heard too.
  const stop = (): void => void app.close().finally(() => process.exit(0))
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  const { url } = await app.listen(port, '127.0.0.1')
  console.log(`The origin program, with sessions in the engine '${engine}'. Try it in a browser:

  ${url}/?name=alice   the server remembers a name
  ${url}/detail        and tells it to the same browser
  ${url}/session       what the server keeps of your session

Ctrl+C ends it.`)
} catch (error) {
  console.error(oneLine(error))
  process.exit(1)
}

function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replaceAll(/\s+/g, ' ')
}
