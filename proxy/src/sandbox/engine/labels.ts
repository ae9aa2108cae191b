/** Labels by which a daemon finds what it has in an engine: whose it is, and what for. */
export const LABEL_INSTANCE = 'oauth3.instance'
export const LABEL_ROLE = 'oauth3.role'

/** `sandbox`: of one run, gone with the process that made it. `machine`: outlives the daemon; its own sweep keeps or removes it. */
export type ContainerRole = 'sandbox' | 'machine'

export const ownLabels = (instanceId: string, role: ContainerRole): Record<string, string> => ({
  [LABEL_INSTANCE]: instanceId,
  [LABEL_ROLE]: role,
})
