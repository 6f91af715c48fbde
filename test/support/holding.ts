import { writeSync } from 'node:fs'
import { openSqlite } from '../conformance/workers/sqlite.ts'
import { openTables } from './embedded-tables.ts'

// Begins to write into the file of a store, says so, and goes no further: a process that was frozen.
const [, , engine = '', path = ''] = process.argv

function freeze(): void {
  writeSync(1, 'holding\n')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000)
}

if (engine === 'embedded') await openTables(path).write(freeze)
else {
  openSqlite(path).exec('BEGIN IMMEDIATE')
  freeze()
}
