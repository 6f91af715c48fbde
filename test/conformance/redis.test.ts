import { conform } from './conform.ts'

conform('redis')
if ((process.env['REDIS_URL'] ?? '') !== '') conform('redis at REDIS_URL')
