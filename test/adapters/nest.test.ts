import { serveNestOnExpress, serveNestOnFastify } from './subjects/nest.ts'
import { checkAdapter } from './support/checks.ts'

checkAdapter('Nest on Express', serveNestOnExpress, ['http/1.1'])
checkAdapter('Nest on Fastify', serveNestOnFastify, ['http/1.1', 'h2'])
