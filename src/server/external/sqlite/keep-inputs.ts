const INPUT = "details ->> '$.inputId'";

const isUsed = (id: string, by: string): string => `(exists (select 1 from jobs where artifact_id = ${id}${by})
    or exists (select 1 from jobs where ${INPUT} = +${id}${by}))`;

const findLastEnd = (id: string): string => `nullif(max(
    ifnull((select max(completed_at) from jobs where artifact_id = ${id}), 0),
    ifnull((select max(completed_at) from jobs where ${INPUT} = +${id}), 0)), 0)`;

const tendUsed = (id: string): string => `update artifacts set
  is_awaited = ${isUsed(id, " and completed_at is null and status in ('queued', 'starting')")} or not ${isUsed(id, "")},
  unused_since = iif(${isUsed(id, " and completed_at is null")}, null, ${findLastEnd(id)})
  where id = ${id};`;

/** What a job reads as its standard input is an artifact, too, and kept as its code is. */
export const KEEP_INPUTS = `
create index jobs_input on jobs (${INPUT}, completed_at, status) where ${INPUT} is not null;
drop trigger code_named;
drop trigger code_left;
drop trigger code_used;
create trigger code_named after insert on jobs when new.artifact_id is not null begin
  ${tendUsed("new.artifact_id")}
end;
create trigger code_left after delete on jobs when old.artifact_id is not null begin
  ${tendUsed("old.artifact_id")}
end;
create trigger code_used after update of status, artifact_id on jobs
when new.artifact_id is not null and (old.status <> new.status or old.artifact_id is not new.artifact_id) begin
  ${tendUsed("new.artifact_id")}
end;
create trigger input_named after insert on jobs when new.${INPUT} is not null begin
  ${tendUsed(`(new.${INPUT})`)}
end;
create trigger input_left after delete on jobs when old.${INPUT} is not null begin
  ${tendUsed(`(old.${INPUT})`)}
end;
create trigger input_used after update of status on jobs when old.status <> new.status and new.${INPUT} is not null begin
  ${tendUsed(`(new.${INPUT})`)}
end;
`;
