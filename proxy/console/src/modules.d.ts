declare module 'virtual:routes' {
  /** By the names of the tables of the same names: what `vite.config.ts` leaves of them. */
  export const ADMIN_ROUTES: unknown
  export const CONSOLE_ROUTES: unknown
}

declare module '*.css'
