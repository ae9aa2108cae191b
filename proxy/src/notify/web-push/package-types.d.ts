/** What is used of the package `web-push`, which brings no types. */
declare module 'web-push' {
  const webPush: {
    generateRequestDetails(
      subscription: {
        readonly endpoint: string
        readonly keys: { readonly p256dh: string; readonly auth: string }
      },
      payload: string,
      options: {
        readonly vapidDetails: {
          readonly subject: string
          readonly publicKey: string
          readonly privateKey: string
        }
        readonly TTL: number
        readonly urgency: 'high'
        readonly contentEncoding: 'aes128gcm'
      },
    ): { readonly headers: Readonly<Record<string, string | number>>; readonly body: Buffer }
  }
  export default webPush
}
