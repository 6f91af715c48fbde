/** The options of a client of ioredis or iovalkey, or of a cluster of theirs. */
interface Options {
  readonly autoResendUnfulfilledCommands?: unknown
  readonly redisOptions?: { readonly autoResendUnfulfilledCommands?: unknown }
}

/**
 * Warns of a client that sends a command again when the connection was lost before its answer came: if
 * it had been done already, an addition counts twice. ioredis and iovalkey do so unless told otherwise.
 */
export function warnOfResending(client: object): void {
  const options: unknown = Reflect.get(client, 'options')
  const found = typeof options === 'object' && options !== null ? (options as Options) : {}
  const inCluster = Reflect.get(client, 'isCluster') === true
  if (inCluster ? resendsInCluster(found) : found.autoResendUnfulfilledCommands === true) {
    warn(inCluster ? `{ redisOptions: ${REMEDY} }` : REMEDY)
  }
}

const REMEDY = '{ autoResendUnfulfilledCommands: false }'

function warn(remedy: string): void {
  process.emitWarning(
    `This Redis client sends commands again after a lost connection, so that an increment could count twice. Give it ${remedy}.`,
    { code: 'SOJOURN_REDIS_RESEND' },
  )
}

function resendsInCluster({ redisOptions }: Options): boolean {
  return redisOptions?.autoResendUnfulfilledCommands !== false
}
