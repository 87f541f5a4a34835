/*
 * sanitizer: whether this build has the address sanitizer, WATCHED.  Why: it
 * maps terabytes, so no limit of address space can be set, and looks for
 * leaks with ptrace, which a process that nobody may look into cannot bear.
 */
#ifndef LANG_BASE_SANITIZER_H
#define LANG_BASE_SANITIZER_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WATCHED 1			/* gcc */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WATCHED 1			/* clang */
#endif
#endif

#endif
