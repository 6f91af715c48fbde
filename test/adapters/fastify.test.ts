import { serve } from './subjects/fastify.ts'
import { checkAdapter } from './support/checks.ts'

checkAdapter('fastify', serve, ['http/1.1', 'h2'])
