import { createServer, type Socket } from "node:net";

export type Mail = Readonly<{ from: string; to: readonly string[]; text: string }>;

export type SmtpStandIn = Readonly<{
  url: string;
  mails: Mail[];
  answerNext: (command: string, answer: string) => void;
  hang: () => void;
  stop: () => Promise<void>;
}>;

type Session = { from: string; to: string[]; isData: boolean; text: string; isKnown: boolean };

const CREDENTIALS = Buffer.from("\0nexus\0mail password").toString("base64");

const answerCommand = (session: Session, line: string): string => {
  const verb = line.slice(0, 4).toUpperCase();
  if (verb === "EHLO") return "250-mail.example.org\r\n250 AUTH PLAIN";
  if (line === `AUTH PLAIN ${CREDENTIALS}`) {
    session.isKnown = true;
    return "235 2.7.0 accepted";
  }
  if (verb === "AUTH") return "535 5.7.8 wrong user or password";
  if (!session.isKnown) return "530 5.7.0 authentication required";
  if (verb === "MAIL") session.from = /<([^>]*)>/.exec(line)?.[1] ?? "";
  if (verb === "RCPT") session.to.push(/<([^>]*)>/.exec(line)?.[1] ?? "");
  if (verb === "DATA") session.isData = true;
  return verb === "DATA" ? "354 go on" : "250 2.0.0 ok";
};

/** A mail server that asks for a password (SMTP: RFC 5321, AUTH PLAIN: RFC 4954 and RFC 4616). */
export const startSmtp = async (): Promise<SmtpStandIn> => {
  const mails: Mail[] = [];
  const answers = new Map<string, string>();
  const sockets = new Set<Socket>();
  let isHanging = false;

  const finish = (session: Session): string => {
    mails.push({ from: session.from, to: session.to, text: session.text });
    session.isData = false;
    return "250 2.0.0 taken";
  };

  const takeLine = (session: Session, line: string): string | null => {
    if (session.isData && line === ".") return finish(session);
    if (session.isData) {
      session.text += `${line.replace(/^\.\./, ".")}\n`;
      return null;
    }
    const planned = answers.get(line.slice(0, 4));
    answers.delete(line.slice(0, 4));
    return planned ?? answerCommand(session, line);
  };

  const serve = (socket: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    if (isHanging) return;
    const session: Session = { from: "", to: [], isData: false, text: "", isKnown: false };
    let rest = "";
    socket.write("220 mail.example.org ESMTP\r\n");
    socket.on("data", (chunk) => {
      const lines = (rest + chunk.toString("latin1")).split("\r\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const answer = takeLine(session, line);
        if (answer !== null) socket.write(`${answer}\r\n`);
      }
    });
  };

  const { promise, resolve } = Promise.withResolvers<number>();
  const server = createServer(serve).listen(0, "127.0.0.1", () => {
    const address = server.address();
    resolve(typeof address === "object" && address !== null ? address.port : 0);
  });
  return {
    url: `smtp://nexus:mail%20password@127.0.0.1:${await promise}`,
    mails,
    answerNext: (command, answer) => void answers.set(command, answer),
    hang: () => {
      isHanging = true;
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
};
