import { AppError } from '../../kernel/index.ts'

/** Why an order for a machine was not taken, for who gave it. */
export const DENIALS = {
  quota: () =>
    new AppError('refused', 'There are as many hosted agents as there may be; remove one first.', {
      details: { reason: 'quota' },
    }),
  memory_quota: () =>
    new AppError(
      'refused',
      'Together your hosted agents would have more memory than they may; remove one, or ask for a larger quota.',
      {
        details: { reason: 'quota' },
      },
    ),
  name_taken: () => new AppError('conflict', 'There is a hosted agent of this name.'),
  no_image: () =>
    new AppError('refused', 'The image of it is not here; `npm run images` builds it.', {
      details: { reason: 'no_image' },
    }),
  larger_than_host: () =>
    new AppError(
      'refused',
      'A machine takes more memory than OAUTH3_HOST_MEMORY_MIB allows for all of them.',
    ),
}
