declare module 'virtual:routes' {
  /** By the names of the tables of the same names: what `vite.config.ts` leaves of them. */
  export const ADMIN_ROUTES: unknown
  export const CONSOLE_ROUTES: unknown
}

declare module '*.css'

declare module '@novnc/novnc' {
  /** What of its interface is used (docs/API.md of the package). Tells `connect`, `disconnect`, `securityfailure`. */
  export default class RFB extends EventTarget {
    constructor(target: HTMLElement, channel: WebSocket, options?: { readonly shared?: boolean })
    viewOnly: boolean
    scaleViewport: boolean
    background: string
    focus(): void
    sendKey(keysym: number, code: string | null): void
    disconnect(): void
  }
}
