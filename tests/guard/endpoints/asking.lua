-- SPDX-License-Identifier: Apache-2.0
-- OpenDKIM's miltertest asks the guard about three mails over one connection.
-- MILTER is where it listens, as in unix:/run/milter.sock.

local function must(problem)
  if problem ~= nil then error(problem) end
end

local function continues(conn, what)
  local reply = mt.getreply(conn)
  if reply ~= SMFIR_CONTINUE then error(what .. " was answered with " .. reply) end
end

local function hand_in(conn, subject, ...)
  must(mt.macro(conn, SMFIC_MAIL, "{auth_authen}", "sam"))
  must(mt.mailfrom(conn, "<sam@council.example>", "SIZE=100"))
  continues(conn, "MAIL")
  must(mt.rcptto(conn, "<ann@a.example>", "NOTIFY=NEVER"))
  continues(conn, "RCPT")
  must(mt.header(conn, "From", "sam@council.example"))
  must(mt.header(conn, "Subject", subject))
  continues(conn, "a field")
  for _, address in ipairs({...}) do
    must(mt.header(conn, "Bcc", address))
  end
  must(mt.header(conn, "X-After", "1"))
  must(mt.bodystring(conn, "Text\r\n"))
  must(mt.bodystring(conn, "and more of it\r\n"))
  must(mt.eom(conn))
  return mt.getreply(conn)
end

local function ask()
  local conn = mt.connect(MILTER, 20, 0.1)
  if conn == nil then error("nobody listens") end
  must(mt.conninfo(conn, "client.test", "192.0.2.7"))
  continues(conn, "the connection")

  if mt.test_action(conn, SMFIF_ADDRCPT) or mt.test_action(conn, SMFIF_DELRCPT) then
    error("it wants to change recipients")
  end

  if hand_in(conn, "accept", "bob@b.example") ~= SMFIR_ACCEPT then
    error("not accepted")
  end
  if not mt.eom_check(conn, MT_HDRDELETE, "Bcc") then error("Bcc is not deleted") end
  if mt.eom_check(conn, MT_RCPTDELETE, "<ann@a.example>") then error("a recipient is deleted") end
  if mt.eom_check(conn, MT_BODYCHANGE) then error("the body is changed") end

  if hand_in(conn, "memory hold") ~= SMFIR_DISCARD then error("not discarded") end

  if hand_in(conn, "memory reject") ~= SMFIR_REPLYCODE then error("not refused") end

  mt.disconnect(conn)
end

local is_well, problem = pcall(ask)
mt.echo(is_well and "all as expected" or problem)
if not is_well then os.exit(1) end
