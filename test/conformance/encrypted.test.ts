import { conform } from './conform.ts'

conform('sqlite with encrypted values')
