import { serveExpress4, serveExpress5 } from './subjects/express.ts'
import { checkAdapter } from './support/checks.ts'

checkAdapter('Express 5', serveExpress5, ['http/1.1'])
checkAdapter('Express 4', serveExpress4, ['http/1.1'])
