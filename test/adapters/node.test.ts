import { serve } from './subjects/node.ts'
import { checkAdapter } from './support/checks.ts'

checkAdapter('node:http', serve, ['http/1.1', 'h2'])
