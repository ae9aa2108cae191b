import type { UnixMs } from '../../kernel/index.ts'

/** A registry that the owner added, without the text of its index. */
export interface Registry {
  /** As its index calls itself; no two have the same. */
  readonly name: string
  /** Of the index: https, or file. */
  readonly url: string
  /** Its key, as the owner confirmed it. */
  readonly key: string
  /** Of the newest index seen: an older one is refused (rollback). */
  readonly sequence: number
  /** SHA-256 of that index's text. */
  readonly indexHash: string
  readonly expiresAt: UnixMs
  readonly fetchedAt: UnixMs
  readonly addedAt: UnixMs
  readonly addedBy: string
}

/** Only these bytes are good under this name and version, whichever registry lists others. */
export interface SkillPin {
  readonly name: string
  readonly version: string
  readonly sha256: string
  readonly pinnedAt: UnixMs
  readonly pinnedBy: string
}

/** Whose signature a person accepted last for skills of this name, by approving code under it. */
interface AcceptedPublisher {
  readonly name: string
  readonly key: string
  readonly acceptedAt: UnixMs
  readonly acceptedBy: string
}

interface SkillReader {
  /** By name. */
  registries(): Promise<readonly Registry[]>
  indexText(registry: string): Promise<string | undefined>
  pins(): Promise<readonly SkillPin[]>
  /** Names of skills under which code was approved. */
  acceptedNames(): Promise<readonly string[]>
  publisherOf(name: string): Promise<AcceptedPublisher | undefined>
}

export interface SkillStore extends SkillReader {
  insertRegistry(registry: Registry, indexText: string): Promise<void>
  updateIndex(registry: Registry, indexText: string): Promise<void>
  removeRegistry(name: string): Promise<void>
  putPin(pin: SkillPin): Promise<void>
  removePin(of: Pick<SkillPin, 'name' | 'version'>): Promise<void>
  accept(publisher: AcceptedPublisher): Promise<void>
}

declare module '../../kernel/unit-of-work.ts' {
  interface StorePorts {
    readonly skills: StorePort<SkillReader, SkillStore>
  }
}
