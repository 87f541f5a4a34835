"""Real mail servers, each set up the way that Picket's users meet it: port 587
with STARTTLS and AUTH, port 2525 with neither, mailboxes at localhost for two
users.

They run in the machine that roots.enter has made, on its loopback and with its
/etc, and end with it.  Mail for somebody at localhost lands in a maildir, so
that each mail is a file as it was delivered.
"""

import os
import shutil
import socket
import subprocess
import time

from roots import add_user, own

TLS_PORT, PLAIN_PORT = 587, 2525
USER, PASSWORD, NOBODY = 'picket', 'correct horse', 'mallory'
PATIENCE = 20		# seconds for a server to do what it does at once


def wait_for(what, seconds=PATIENCE):
    """The first true answer of what(), or the last one."""
    end = time.monotonic() + seconds
    while True:
        got = what()
        if got or time.monotonic() > end:
            return got
        time.sleep(0.05)


def listens(port):
    try:
        with socket.create_connection(('127.0.0.1', port), 5) as s:
            s.settimeout(5)
            return s.recv(3) == b'220'
    except OSError:
        return False


def text(path):
    try:
        with open(path, encoding='utf-8', errors='replace') as f:
            return f.read()
    except OSError:
        return ''


def write(path, what, mode=0o644, owner=None):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w') as f:
        f.write(what)
    os.chmod(path, mode)
    if owner:
        shutil.chown(path, owner, owner)


def command(*argv, **more):
    """Its output; an error if it fails."""
    p = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                       text=True, **more)
    if p.returncode != 0:
        raise RuntimeError('%s: exit %d: %s' % (' '.join(argv), p.returncode,
                                                p.stdout))
    return p.stdout


class Server:
    """cert, key: what it shows; without them it has only the plain port."""
    users = ('systems', 'other')

    def __init__(self, cert=None, key=None):
        self.ports = (TLS_PORT, PLAIN_PORT) if cert else (PLAIN_PORT,)
        write('/etc/hosts', '127.0.0.1 localhost\n'
              '127.0.0.1 moscow.example.org moscow\n')
        write('/etc/mailname', 'localhost\n')
        for user in self.users:
            add_user(user, '/')
        self.boxes = '/var/boxes'
        self.log = '/var/server.log'
        self.cert, self.key = '/etc/server/cert.pem', '/etc/server/key.pem'
        os.makedirs('/etc/server', exist_ok=True)
        if cert:
            shutil.copy(cert, self.cert)
            shutil.copy(key, self.key)
            os.chmod(self.key, 0o600)
        own(self.boxes, 'root', mode=0o1777)
        self.setup()

    def start(self):
        self.launch()
        if not wait_for(lambda: all(listens(p) for p in self.ports)):
            raise RuntimeError('does not listen: ' + self.said())

    def spawn(self, *argv):
        """A server that stays in the foreground; its words are its log."""
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)

    def said(self):
        return text(self.log)

    def mails(self, user='systems'):
        """The mails that were delivered to somebody, oldest first."""
        folder = os.path.join(self.boxes, user, 'new')
        try:
            paths = [os.path.join(folder, n) for n in os.listdir(folder)]
        except OSError:
            return []
        mails = []
        for p in sorted(paths, key=lambda p: os.stat(p).st_mtime_ns):
            with open(p, 'rb') as f:
                mails.append(f.read())
        return mails


class Postfix(Server):
    # its own form for the name that logged in
    logged_in = 'sasl_method=PLAIN, sasl_username=%s@localhost' % USER
    received = 'using TLSv1.3'

    def setup(self):
        add_user('postfix')
        add_user('postdrop')
        shutil.rmtree('/var/spool/postfix', ignore_errors=True)
        own('/var/spool/postfix', 'root', 'root', 0o755)
        own('/var/lib/postfix', 'postfix', 'postfix', 0o755)
        for f in ('postdrop', 'postqueue'):
            shutil.chown('/usr/sbin/' + f, 'root', 'postdrop')
            os.chmod('/usr/sbin/' + f, 0o2555)
        write('/etc/postfix/main.cf', '''
compatibility_level = 3.6
mail_owner = postfix
setgid_group = postdrop
queue_directory = /var/spool/postfix
data_directory = /var/lib/postfix
command_directory = /usr/sbin
daemon_directory = %s
sendmail_path = /usr/sbin/sendmail
mailq_path = /usr/bin/mailq
newaliases_path = /usr/bin/newaliases
myhostname = moscow.example.org
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
default_transport = error:nothing leaves this test
alias_maps =
alias_database =
virtual_mailbox_domains = localhost
virtual_mailbox_base = %s
virtual_mailbox_maps = inline:{systems@localhost=systems/, other@localhost=other/}
virtual_uid_maps = static:%d
virtual_gid_maps = static:%d
virtual_minimum_uid = 1
smtpd_peername_lookup = no
disable_dns_lookups = yes
maillog_file = %s
smtpd_tls_cert_file = %s
smtpd_tls_key_file = %s
smtpd_tls_received_header = yes
smtpd_tls_loglevel = 1
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
smtpd_sasl_local_domain = localhost
cyrus_sasl_config_path = /etc/postfix/sasl
''' % (self.daemons(), self.boxes,
       *add_user('systems'), self.log, self.cert, self.key))
        secure = '' if TLS_PORT not in self.ports else '''
127.0.0.1:%d inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o smtpd_tls_auth_only=yes
  -o smtpd_sasl_auth_enable=yes
  -o { smtpd_recipient_restrictions = permit_sasl_authenticated, reject }
  -o { smtpd_relay_restrictions = permit_sasl_authenticated, reject }
tlsmgr unix - - n 1000? 1 tlsmgr
''' % TLS_PORT
        write('/etc/postfix/master.cf', secure + '''
127.0.0.1:%d inet n - n - - smtpd
  -o smtpd_tls_security_level=none
  -o { smtpd_recipient_restrictions = permit_mynetworks, reject }
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
''' % PLAIN_PORT)
        if secure:
            self.passwords()

    def daemons(self):
        """Debian's folder, or most others'."""
        return next(d for d in ('/usr/lib/postfix/sbin',
                                '/usr/libexec/postfix', '/usr/lib/postfix')
                    if os.path.exists(d + '/smtpd'))

    def passwords(self):
        write('/etc/postfix/sasl/smtpd.conf', 'pwcheck_method: auxprop\n'
              'auxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\n'
              'sasldb_path: /etc/server/sasldb\n')
        command('saslpasswd2', '-p', '-c', '-f', '/etc/server/sasldb',
                '-u', 'localhost', USER, input=PASSWORD)
        shutil.chown('/etc/server/sasldb', 'postfix', 'postfix')

    def launch(self):
        try:
            command('postfix', 'start')
        except RuntimeError as e:
            raise RuntimeError('%s\n%s' % (e, self.said())) from e

    def stop(self):
        command('postfix', 'stop')

    def hold(self, yes):
        """Whether it keeps what it takes.  Only while it is stopped."""
        command('postconf', 'defer_transports=' + ('virtual' if yes else ''))

    def queued(self):
        """How many mails wait, with or without a server that runs."""
        return sum(len(files) for queue in ('maildrop', 'incoming', 'active',
                                            'deferred', 'hold')
                   for _, _, files in os.walk('/var/spool/postfix/' + queue))


class Exim(Server):
    """Knows LOGIN alone, as many a provider's."""
    logged_in = 'A=login:%s ' % USER
    received = 'TLS1.3'

    def setup(self):
        add_user('Debian-exim')
        own('/var/spool/exim4', 'Debian-exim', mode=0o750)
        own('/var/log/exim4', 'Debian-exim', mode=0o750)
        shutil.chown(self.key, 'root', 'Debian-exim')
        os.chmod(self.key, 0o640)
        write('/etc/exim4/exim4.conf', '''
primary_hostname = moscow.example.org
domainlist local = localhost
daemon_smtp_ports = %d : %d
local_interfaces = 127.0.0.1
tls_advertise_hosts = ${if ={$received_port}{%d}{*}{}}
tls_certificate = %s
tls_privatekey = %s
auth_advertise_hosts = ${if def:tls_in_cipher{*}{}}
acl_smtp_rcpt = rcpt
host_lookup =
rfc1413_query_timeout = 0s
log_file_path = /var/log/exim4/%%slog
log_selector = +tls_certificate_verified +tls_cipher
smtp_accept_max = 0
keep_environment =

begin acl
rcpt:
  deny condition = ${if ={$received_port}{%d}}
       !authenticated = *
       message = log in first
  accept domains = +local
         verify = recipient
  deny message = no relaying

begin routers
box:
  driver = accept
  domains = +local
  check_local_user
  transport = box

begin transports
box:
  driver = appendfile
  maildir_format
  create_directory
  directory = %s/$local_part_data
  delivery_date_add
  envelope_to_add
  return_path_add

begin authenticators
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${if and{{eq{$auth1}{%s}}{eq{$auth2}{%s}}}}
  server_set_id = $auth1
''' % (TLS_PORT, PLAIN_PORT, TLS_PORT, self.cert, self.key, TLS_PORT,
            self.boxes, USER, PASSWORD))
        os.chmod('/etc/exim4/exim4.conf', 0o640)
        shutil.chown('/etc/exim4/exim4.conf', 'root', 'Debian-exim')

    def launch(self):
        self.spawn('exim4', '-bdf', '-q1m')

    def said(self):
        return ''.join(text('/var/log/exim4/%slog' % x)
                       for x in ('main', 'reject', 'panic')) + text(self.log)


class OpenSMTPD(Server):
    logged_in = 'authentication user=%s result=ok' % USER
    received = 'TLSv1.3:'

    def setup(self):
        add_user('opensmtpd', '/var/lib/opensmtpd/empty')
        add_user('opensmtpq')
        own('/var/lib/opensmtpd/empty', 'root', 'root', 0o755)
        shutil.chown('/usr/sbin/smtpctl', 'root', 'opensmtpq')
        os.chmod('/usr/sbin/smtpctl', 0o2555)
        secret = command('smtpctl', 'encrypt', PASSWORD).strip()
        write('/etc/server/creds', '%s %s\n' % (USER, secret), 0o640)
        shutil.chown('/etc/server/creds', 'root', 'opensmtpd')
        write('/etc/smtpd.conf', '''
pki localhost cert "%s"
pki localhost key "%s"
table creds file:/etc/server/creds
listen on lo port %d tls-require pki localhost auth <creds> hostname moscow.example.org
listen on lo port %d hostname moscow.example.org
action box maildir "%s/%%{user.username}"
match from auth for domain localhost action box
match from local for domain localhost action box
''' % (self.cert, self.key, TLS_PORT, PLAIN_PORT, self.boxes))

    def launch(self):
        self.spawn('smtpd', '-d')


KINDS = {'postfix': Postfix, 'exim': Exim, 'opensmtpd': OpenSMTPD}
