/** Whether this machine lets tests do something. Where it does not, the run says at its end what it lacked: `.ci/test` reads this line. */
export const checkAbility = (isThere: boolean, need: string): boolean => {
  if (!isThere) process.stderr.write(`not tested here for lack of ${need}\n`);
  return isThere;
};
