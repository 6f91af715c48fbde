import type { NodeResponse } from './response.ts'

/** The status that an error asks for, 500 if it asks for none. */
export function statusOf(error: unknown): number {
  const status: unknown = error instanceof Error ? Reflect.get(error, 'status') : undefined
  const fits = typeof status === 'number' && status >= 400 && status <= 599
  return fits ? status : 500
}

/** What a client is told of an error: nothing of its cause. */
export function textOfStatus(status: number): string {
  if (status === 503) return 'Service unavailable. Please try again.\n'
  return status < 500 ? 'Request refused.\n' : 'Internal server error.\n'
}

/** Answers an error when there is nobody else to do so. */
export function answerPlainly(response: NodeResponse, error: unknown): void {
  const status = statusOf(error)
  const text = textOfStatus(status)
  response.statusCode = status
  response.setHeader('Content-Type', 'text/plain; charset=utf-8')
  response.setHeader('Content-Length', `${Buffer.byteLength(text)}`)
  response.setHeader('Cache-Control', 'no-store')
  response.end(text)
}
