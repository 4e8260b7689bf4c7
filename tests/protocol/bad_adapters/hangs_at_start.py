"""Never answers `hello`."""

from toy import hang

hang()
