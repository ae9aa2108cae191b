import type { CardView } from '../../../src/contracts/admin/index.ts'
import { Names } from '../admin/time.tsx'
import { Fact } from './card-facts.tsx'

/** Whose signature covers these very bytes, and what the registry's entry says that they need. Keys first: they are what cannot be faked. */
export function ProvenanceFacts({ of }: { readonly of: NonNullable<CardView['provenance']> }) {
  const { acceptedPublisher: accepted, publisher } = of
  return (
    <section class="panel" aria-label="Where it comes from">
      <h2>Signed skill</h2>
      <dl class="facts wide">
        <Fact name="Skill">
          <bdi class="mono">{of.skill}</bdi>
          {of.pinned && <span class="badge good">pinned</span>}
        </Fact>
        <Fact name="Publisher">
          <bdi class="mono hash">{publisher}</bdi>{' '}
          {accepted === null ? (
            <span class="soft">nothing of it was approved before</span>
          ) : accepted === publisher ? (
            <span class="good">as before</span>
          ) : (
            <b class="bad">
              not as before, by <bdi class="mono hash">{accepted}</bdi>
            </b>
          )}
        </Fact>
        <Fact name="Registry">
          <bdi>{of.registry.name}</bdi>, <bdi class="mono hash">{of.registry.key}</bdi>
          <span class="soft"> vouches for the bytes, and approves nothing</span>
        </Fact>
        <Fact name="Code from">
          <bdi class="mono">{of.url}</bdi>
        </Fact>
        <Fact name="Entry says">
          <bdi>{of.declaredDescription || '–'}</bdi>
        </Fact>
        <Fact name="Needs secrets">
          <Names of={of.declaredSecrets} none="none" />
        </Fact>
        <Fact name="Needs network">
          <Names of={of.declaredNetwork} none="none" />
        </Fact>
      </dl>
    </section>
  )
}
