/* gentables: what its parts share; see gentables.c. */
#ifndef MAN_GENTABLES_H
#define MAN_GENTABLES_H

#include <stdbool.h>
#include <stddef.h>

/* ASCII letters and digits, and what may end a sentence. */
bool	alnum(char);
/* Prose: quotes and dashes are left to the formatter. */
void	put_prose(const char *);
/* A help text: begins small in its table and has no full stop. */
void	put_sentence(const char *, bool capital);
/* An argument of a macro that must not be read as another one. */
void	put_arg(const char *);
/* A line of a display that must come out as it stands. */
void	put_verbatim(const char *);
/* One word of a list of words by blanks; false at the end. */
bool	word(const char **list, char *out, size_t size);

/* Each writes a table. */
void	conf_keys(void);
void	conf_transports(void);
void	conf_options(void);
void	conf_rules(void);
void	conf_daemon(void);
void	control_requests(void);
void	http_paths(void);
void	log_levels(void);
void	conf_when(void);
void	conf_route(void);
void	conf_heartbeat(void);
void	conf_emergency(void);
void	conf_templates(void);

#endif
