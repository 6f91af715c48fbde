import { conform } from './conform.ts'

conform('memcached')
