export const ADD_RESERVATIONS = `
create table reservations (
  id text primary key,
  user text not null,
  gpu_idxs text not null,
  begins_at real not null,
  ends_at real not null,
  why text
) without rowid;
update jobs set need = need || '@' || (details ->> '$.timeLimitS')
  where status = 'queued' and num_gpus > 0 and details ->> '$.timeLimitS' is not null;
`;
