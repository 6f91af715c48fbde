/** What is told of a request that has ended. It holds no query, no header and no body. */
export interface LogEntry {
  readonly method: string
  /** Without the query, which may hold secrets. */
  readonly path: string
  readonly status: number
  readonly remoteIp: string
  /** ms from the first byte of the request to the last step of its handler. */
  readonly duration: number
  /** Why the request was refused, by `HttpError` or `sendError`. */
  readonly message?: string
  /** What went wrong: exceptions that were not meant as an answer. */
  readonly errors: readonly unknown[]
}

/** Tells of a request, once. What the log function throws is isolated from the request. */
export function logRequest(entry: LogEntry, logFunction?: (entry: LogEntry) => void): void {
  try {
    const promise: unknown = (logFunction ?? logErrors)(entry)
    if (promise instanceof Promise) promise.catch(logFailure)
  } catch (error) {
    logFailure(error)
  }
}

function logFailure(error: unknown): void {
  print(`The log function failed: ${describeError(error)}`)
}

function logErrors({ method, path, status, message, errors }: LogEntry): void {
  if (errors.length === 0 && status < 500) return
  const reasons = errors.map(describeError)
  if (message !== undefined) reasons.unshift(message)
  print(`${status} ${method} ${path}\n${reasons.join('\n')}`)
}

/**
 * Stack and causes of an error, and nothing else of it: other properties of errors (of HTTP clients
 * for instance) hold headers and cookies.
 */
export function describeError(error: unknown): string {
  const lines: string[] = []
  let current = error
  while (current instanceof Error && lines.length < 5) {
    lines.push(current.stack ?? `${current.name}: ${current.message}`)
    current = current.cause
  }
  return lines.length === 0 ? `A ${typeof error} was thrown.` : lines.join('\nbecause of ')
}

function print(text: string): void {
  // oxlint-disable-next-line no-console
  console.error(text)
}
