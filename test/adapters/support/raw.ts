import { connect } from 'node:net'

/** Sends bytes over a new connection and answers everything that came until it was closed. */
export function exchange(port: number, request: string, timeout = 5_000): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    let received = ''
    socket.setEncoding('latin1')
    socket.setTimeout(timeout, () => socket.destroy(new Error(`No end after: ${received}`)))
    socket.on('data', (text: string) => (received += text))
    socket.on('error', reject)
    socket.on('close', () => resolve(withoutDate(received)))
    socket.write(request)
  })
}

/** A request as text. */
export function requestText(method: string, path: string, headers: readonly string[] = []): string {
  return [`${method} ${path} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n')
}

function withoutDate(text: string): string {
  return text.replaceAll(/Date: [^\r]+/g, 'Date: now')
}
