"""Accounts and what they may do, in SQL.

ways_in    before there is a viewer: sessions, passwords, one-time links, tokens
accounts   who there is            members  teams, projects, and roles in them
access     who sees what           audit    what was done
"""
