import type { Route } from './+types/root'
import { Outlet } from 'react-router'
import { sessionMiddleware } from './session.server'

export const middleware: Route.MiddlewareFunction[] = [sessionMiddleware]

export default function Root() {
  return (
    <html lang="en">
      <body>
        <Outlet />
      </body>
    </html>
  )
}
