import { createHash } from 'node:crypto'

/** A Lua script with the name by which Redis remembers it. */
export interface Script {
  readonly text: string
  readonly sha: string
}

/** The script of a text. */
export function script(text: string): Script {
  return { text, sha: createHash('sha1').update(text).digest('hex') }
}
