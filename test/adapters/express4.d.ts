// The version before the current one; what the adapter uses of it has the same types.
declare module 'express4' {
  import express from 'express'
  export default express
}
