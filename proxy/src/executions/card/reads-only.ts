/** Words by which a description says that nothing will be changed, in the languages that agents write most. */
const READS =
  /^(?:\W*(?:please|just|only|simply|bitte|nur)\W+)*(?:counts?|lists?|reads?|shows?|gets?|fetch(?:es)?|checks?|looks?|prints?|reports?|summari[sz]es?|search(?:es)?|finds?|tells?|views?|monitors?|verif(?:y|ies)|validates?|previews?|exports?|downloads?|dry.?runs?|retrieves?|displays?|inspects?|watch(?:es)?|computes?|calculates?|compares?|zählt?|liest|lese|zeigt?|prüft?|sucht?|holt?|compte|affiche|lit|liste|vérifie|cherche|cuenta|lista|muestra|lee|busca|comprueba|verifica|conta|mostra|legge|cerca|elenca)\b|\b(?:read.?only|dry.?run|no changes|nothing is changed|without changing)\b/iu

/** Verbs by which it says that something will be. */
const WRITES =
  /\b(?:creat(?:e|es|ing)|sends?|sending|publish(?:es)?|updat(?:e|es|ing)|delet(?:e|es|ing)|remov(?:e|es|ing)|adds?|adding|writ(?:e|es|ing)|uploads?|pays?|cancels?|clos(?:e|es|ing)|merg(?:e|es|ing)|sets?|puts?|edits?|mov(?:e|es|ing)|renam(?:e|es|ing)|repl(?:y|ies)|triggers?|starts?|stops?|restarts?|deploys?|generat(?:e|es|ing)|translat(?:e|es|ing)|transcrib(?:e|es|ing)|notif(?:y|ies)|invites?|assigns?|archiv(?:e|es|ing)|turns?|toggles?|syncs?|imports?|registers?|revok(?:e|es|ing)|rotat(?:e|es|ing)|purg(?:e|es|ing)|clears?|resets?|sav(?:e|es|ing)|stor(?:e|es|ing)|inserts?|upserts?|appends?|submits?|erstell\w*|schick\w*|lösch\w*|änder\w*|crea|envía|envoie|supprime|borra|elimina|actualiza)\b/iu

/** Words that are nouns as often; only where they are said as an act. */
const WRITES_BESIDES =
  /(?:^|[,;]\s*|\b(?:and|then|to|und|et|y|e)\s+)(?:posts?|refunds?|emails?|messages?|comments?|labels?|tags?|stars?|orders?|charges?|transfers?|schedules?|logs?|opens?|locks?|releases?|indexes|books?|subscribes?|marks?|switch(?:es)?|alerts?|forks?|reacts?)\b/iu

export const saysItWrites = (description: string): boolean =>
  WRITES.test(description) || WRITES_BESIDES.test(description.trim())

/** Whether a person who reads it would believe that nothing is changed. */
export const readsOnly = (description: string): boolean =>
  READS.test(description.trim()) && !saysItWrites(description)
