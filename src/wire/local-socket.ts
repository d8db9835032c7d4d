/** Where an installed server listens for the users of its machine. */
export const LOCAL_SOCKET = "/run/nexus-server/nexus.sock";
